// One model of the Models page: what it is, whether it answers now, and what can be done with it.
pragma ComponentBehavior: Bound
import QtQuick
import Paluku
import PalukuApp

FocusScope {
    id: row

    required property LibraryController library
    required property int index
    required property string modelId
    required property string name
    required property string details
    required property string path
    required property bool inUse
    required property string homeText
    required property bool starter
    required property bool usable
    required property string problem
    required property list<string> notes
    property bool unfolded: false

    implicitHeight: words.height + 2 * Theme.s12
    Accessible.role: Accessible.ListItem
    Accessible.name: name
    Accessible.description: usable ? details : problem

    Rectangle {
        anchors.fill: parent
        radius: Theme.radiusControl
        color: Theme.raised
        border.width: row.inUse ? Theme.stroke : Theme.hairline
        border.color: row.inUse ? Theme.indigo : Theme.line
    }
    Column {
        id: words

        x: Theme.s16
        y: Theme.s12
        width: actions.x - x - Theme.s12
        spacing: Theme.stroke

        UiText {
            width: parent.width
            elide: Text.ElideMiddle
            role: Theme.uiBold
            text: row.name
        }
        UiText {
            width: parent.width
            wrapMode: Text.Wrap
            visible: text.length > 0
            role: Theme.label
            color: Theme.ink2
            text: row.details
        }
        UiText {
            width: parent.width
            wrapMode: Text.Wrap
            visible: row.inUse && row.homeText.length > 0
            role: Theme.label
            color: Theme.ink2
            text: qsTr("Computed by: %1").arg(row.homeText)
        }
        UiText {
            width: parent.width
            elide: Text.ElideMiddle
            visible: text.length > 0 && !row.starter
            role: Theme.caption
            color: Theme.ink3
            text: row.path
        }
        Row {
            visible: !row.usable
            spacing: Theme.s8

            Icon {
                y: (Theme.label.line - height) / 2
                icon: "alert"
                color: Theme.madder
            }
            UiText {
                width: words.width - Theme.icon - Theme.s8
                wrapMode: Text.Wrap
                role: Theme.label
                color: Theme.madder
                text: row.problem
            }
        }
        Button {
            x: -leftPadding
            visible: row.notes.length > 0
            kind: Button.Plain
            inkColor: Theme.ink2
            iconName: row.unfolded ? "chevron-down" : "chevron-right"
            text: qsTr("Notes on this file")
            onClicked: row.unfolded = !row.unfolded
        }
        Repeater {
            model: row.unfolded ? row.notes : []

            UiText {
                required property string modelData

                width: words.width
                wrapMode: Text.Wrap
                role: Theme.label
                color: Theme.ink2
                text: modelData
            }
        }
    }
    Row {
        id: actions

        anchors.right: parent.right
        anchors.rightMargin: Theme.s12
        y: Theme.s12
        spacing: Theme.s4

        Row {
            visible: row.inUse
            height: Theme.hit
            spacing: Theme.s4

            Icon {
                anchors.verticalCenter: parent.verticalCenter
                icon: "check"
                color: Theme.neem
            }
            UiText {
                anchors.verticalCenter: parent.verticalCenter
                color: Theme.neem
                text: qsTr("In use")
            }
        }
        Button {
            focus: true
            visible: row.usable && !row.inUse
            height: Theme.hit
            text: qsTr("Use this model")
            onClicked: row.library.use(row.modelId)
        }
        IconButton {
            id: more

            visible: !row.starter
            iconName: "more"
            text: qsTr("More")
            onClicked: menu.popup(more, 0, more.height)
        }
    }
    Menu {
        id: menu

        MenuRow {
            iconName: "close"
            text: qsTr("Remove from list")
            onTriggered: row.library.remove(row.modelId)
        }
    }
}
