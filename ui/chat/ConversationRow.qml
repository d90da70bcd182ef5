// One conversation in the sidebar, under the heading of its group if it is the first there. Its menu
// renames in place and deletes with a way back.
// qmllint disable unqualified
import QtQuick
import Paluku
import PalukuApp

FocusScope {
    id: entry

    required property ConversationListModel conversations
    required property bool highlighted
    required property int index
    required property string conversationId
    required property string title
    required property string group
    required property bool firstInGroup
    required property bool current
    required property bool generating
    required property bool unseen
    required property string accessibleText
    property bool renaming: false
    readonly property bool marked: generating || unseen
    signal opened()

    implicitHeight: heading.height + Theme.rowHeight + Theme.stroke

    function activate(): void {
        conversations.open(conversationId);
        opened();
    }
    function finish(keep: bool): void {
        if (!renaming)
            return;
        const name = (field.item as Field).text;
        const byKey = (field.item as Field).activeFocus;
        renaming = false;
        if (keep)
            conversations.rename(conversationId, name);
        if (byKey)
            row.forceActiveFocus(Qt.OtherFocusReason);
    }

    UiText {
        id: heading

        x: Theme.s12 + Theme.s12
        width: parent.width - 2 * x
        height: visible ? Theme.captionBold.line + Theme.s16 : 0
        visible: entry.firstInGroup
        verticalAlignment: Text.AlignBottom
        bottomPadding: Theme.s4
        elide: Text.ElideRight
        role: Theme.captionBold
        color: Theme.ink3
        text: entry.group
    }
    ItemRow {
        id: row

        x: Theme.s12
        y: heading.height
        width: parent.width - 2 * Theme.s12
        height: Theme.rowHeight
        visible: !entry.renaming
        focus: true
        focusPolicy: Qt.ClickFocus
        leftPadding: entry.marked ? Theme.s12 + Theme.dot + Theme.s8 : Theme.s12
        endRoom: more.visible ? Theme.hit - Theme.s8 : 0
        text: entry.title
        selected: entry.current && entry.highlighted
        Accessible.name: entry.accessibleText
        onClicked: entry.activate()
        Keys.onPressed: event => {
            event.accepted = true;
            if (event.key === Qt.Key_F2)
                entry.renaming = true;
            else if (event.key === Qt.Key_Delete)
                entry.conversations.remove(entry.conversationId);
            else if (event.key === Qt.Key_Menu || (event.key === Qt.Key_F10 && event.modifiers & Qt.ShiftModifier))
                menu.popup(row, Theme.s24, Theme.rowHeight);
            else
                event.accepted = false;
        }

        Rectangle {
            visible: entry.marked
            x: Theme.s12
            anchors.verticalCenter: parent.verticalCenter
            width: Theme.dot
            height: Theme.dot
            radius: Theme.dot / 2
            color: entry.generating ? Theme.turmeric : Theme.indigo
        }
        IconButton {
            id: more

            anchors.right: parent.right
            anchors.verticalCenter: parent.verticalCenter
            visible: row.hovered || row.visualFocus || menu.visible
            focusPolicy: Qt.NoFocus
            iconName: "more"
            text: qsTr("Rename or delete")
            onClicked: menu.popup(more, 0, more.height)
        }
        TapHandler {
            acceptedButtons: Qt.RightButton
            onTapped: menu.popup()
        }
    }
    Loader {
        id: field

        x: row.x
        y: row.y
        width: row.width
        height: row.height
        active: entry.renaming
        sourceComponent: Field {
            name: qsTr("New name")
            text: entry.title
            Component.onCompleted: {
                forceActiveFocus(Qt.OtherFocusReason);
                selectAll();
            }
            onAccepted: entry.finish(true)
            onActiveFocusChanged: if (!activeFocus) entry.finish(true)
            Keys.onEscapePressed: entry.finish(false)
        }
    }
    Menu {
        id: menu

        MenuRow {
            iconName: "rename"
            text: qsTr("Rename")
            key: "F2"
            onTriggered: entry.renaming = true
        }
        MenuRow {
            iconName: "delete"
            text: qsTr("Delete")
            key: qsTr("Del", "key")
            destructive: true
            onTriggered: entry.conversations.remove(entry.conversationId)
        }
    }
}
