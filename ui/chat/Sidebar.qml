// The conversations, and the way to models and settings.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

FocusScope {
    id: sidebar

    required property AppController app
    property int page: 0
    property bool hideable: true
    signal hideWanted()
    signal newWanted()
    signal opened()
    signal modelsWanted()
    signal settingsWanted()

    Item {
        id: head

        width: parent.width
        height: Theme.headerHeight

        Wordmark {
            x: Theme.s12 + Theme.s8
            anchors.verticalCenter: parent.verticalCenter
            height: Theme.s16
        }
        IconButton {
            anchors.right: parent.right
            anchors.rightMargin: Theme.s12
            anchors.verticalCenter: parent.verticalCenter
            visible: sidebar.hideable
            iconName: "sidebar"
            text: qsTr("Hide the sidebar")
            key: "F9"
            onClicked: sidebar.hideWanted()
        }
    }
    ItemRow {
        id: begin

        x: Theme.s12
        y: head.height
        width: parent.width - 2 * Theme.s12
        iconName: "new-chat"
        inkColor: Theme.indigo
        strong: true
        text: qsTr("New conversation")
        Accessible.role: Accessible.Button
        onClicked: sidebar.newWanted()

        Tip {
            visible: begin.hovered
            text: begin.text
            key: "Ctrl+N"
        }
    }
    ListView {
        id: list

        anchors.top: begin.bottom
        anchors.bottom: footer.top
        width: parent.width
        clip: true
        focus: true
        activeFocusOnTab: true
        keyNavigationEnabled: true
        highlightMoveDuration: 0
        boundsBehavior: Flickable.StopAtBounds
        model: sidebar.app.conversations
        currentIndex: sidebar.app.conversations.currentRow
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Conversations")
        T.ScrollBar.vertical: ScrollBar {}

        delegate: ConversationRow {
            width: ListView.view ? ListView.view.width : 0
            conversations: sidebar.app.conversations
            highlighted: sidebar.page === 0
            onOpened: sidebar.opened()
        }
    }
    UiText {
        anchors.top: begin.bottom
        anchors.topMargin: Theme.s16
        x: Theme.s12 + Theme.s12
        width: parent.width - 2 * x
        visible: sidebar.app.conversations.loaded && sidebar.app.conversations.count === 0
        role: Theme.label
        color: Theme.ink3
        wrapMode: Text.Wrap
        text: qsTr("No conversations yet")
    }
    Column {
        id: footer

        anchors.bottom: parent.bottom
        width: parent.width
        bottomPadding: Theme.s8

        Divider {
            width: parent.width
        }
        Item {
            width: parent.width
            height: Theme.s8
        }
        ItemRow {
            x: Theme.s12
            width: parent.width - 2 * Theme.s12
            implicitHeight: Theme.footerRowHeight
            iconName: "library"
            text: qsTr("Models")
            selected: sidebar.page === 1
            onClicked: sidebar.modelsWanted()
        }
        ItemRow {
            x: Theme.s12
            width: parent.width - 2 * Theme.s12
            implicitHeight: Theme.footerRowHeight
            iconName: "settings"
            text: qsTr("Settings")
            selected: sidebar.page === 2
            onClicked: sidebar.settingsWanted()
        }
        OfflineLine {
            x: Theme.s12
            width: parent.width - Theme.s12
        }
    }
}
