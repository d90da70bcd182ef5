// The top of a page: a way to the sidebar when it is away, the title, and the page's own actions.
import QtQuick
import QtQuick.Layouts
import Paluku

Item {
    id: header

    property alias title: title.text
    property bool sidebarAway: false
    property bool closable: false
    default property alias actions: row.data
    signal sidebarWanted()
    signal closed()

    implicitHeight: Theme.headerHeight

    RowLayout {
        anchors.fill: parent
        anchors.leftMargin: header.sidebarAway ? Theme.s8 : Theme.s24
        anchors.rightMargin: Theme.s12
        spacing: Theme.s8

        IconButton {
            visible: header.sidebarAway
            iconName: "menu"
            text: qsTr("Show the sidebar")
            key: "F9"
            onClicked: header.sidebarWanted()
        }
        UiText {
            id: title

            Layout.fillWidth: true
            elide: Text.ElideRight
            role: Theme.headerTitle
            Accessible.role: Accessible.Heading
            Accessible.name: text
        }
        Row {
            id: row

            spacing: Theme.s4
        }
        IconButton {
            visible: header.closable
            iconName: "close"
            text: qsTr("Close")
            key: "Esc"
            onClicked: header.closed()
        }
    }
    Divider {
        width: parent.width
        anchors.bottom: parent.bottom
    }
}
