// What went wrong, in the place where it went wrong: one sentence and at most one way on.
import QtQuick
import Paluku

Rectangle {
    id: error

    property alias text: sentence.text
    property string action: ""
    property bool closable: false
    signal acted()
    signal closed()

    implicitHeight: Math.max(sentence.implicitHeight, Theme.hit) + 2 * Theme.s8
    radius: Theme.radiusChip
    color: Theme.madderWash
    border.width: Theme.highContrast ? Theme.hairline : 0
    border.color: Theme.edge
    Accessible.role: Accessible.AlertMessage
    Accessible.name: text

    Rectangle {
        width: Theme.bar
        height: parent.height
        color: Theme.madder
    }
    Icon {
        x: Theme.s16
        y: Theme.s8 + (Theme.hit - height) / 2
        icon: "alert"
        color: Theme.madder
    }
    UiText {
        id: sentence

        x: Theme.s16 + Theme.icon + Theme.s12
        anchors.verticalCenter: parent.verticalCenter
        width: buttons.x - x - Theme.s8
        wrapMode: Text.Wrap
        color: Theme.ink
    }
    Row {
        id: buttons

        anchors.right: parent.right
        anchors.rightMargin: Theme.s8
        anchors.verticalCenter: parent.verticalCenter

        Button {
            visible: error.action.length > 0
            kind: Button.Plain
            text: error.action
            onClicked: error.acted()
        }
        IconButton {
            visible: error.closable
            iconName: "close"
            text: qsTr("Close")
            onClicked: error.closed()
        }
    }
}
