// A box of settings. Its menu brings back the defaults, where it has any.
import QtQuick
import Paluku

Column {
    id: group

    property string name: ""
    property bool restorable: false
    default property alias rows: rows.data
    signal restoreWanted()

    spacing: Theme.s8

    Item {
        width: parent.width
        height: Theme.hit

        UiText {
            anchors.verticalCenter: parent.verticalCenter
            width: parent.width - Theme.s48
            elide: Text.ElideRight
            role: Theme.heading
            text: group.name
            Accessible.role: Accessible.Heading
            Accessible.name: text
        }
        IconButton {
            id: more

            anchors.right: parent.right
            visible: group.restorable
            iconName: "more"
            text: qsTr("More")
            onClicked: menu.popup(more, 0, more.height)
        }
        Menu {
            id: menu

            MenuRow {
                iconName: "again"
                text: qsTr("Restore defaults")
                onTriggered: group.restoreWanted()
            }
        }
    }
    Rectangle {
        width: parent.width
        height: rows.height
        radius: Theme.radiusControl
        color: Theme.raised
        border.width: Theme.hairline
        border.color: Theme.line

        Column {
            id: rows

            width: parent.width
            topPadding: Theme.s4
            bottomPadding: Theme.s4
        }
    }
}
