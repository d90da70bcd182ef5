// One row of a Menu: icon, words, key. Destructive rows stand last, in madder.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.MenuItem {
    id: item

    property string iconName: ""
    property string key: ""
    property bool destructive: false
    readonly property color inkColor: destructive ? Theme.madder : Theme.ink

    hoverEnabled: true
    leftPadding: Theme.s12
    rightPadding: Theme.s12
    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: Theme.menuRowHeight
    opacity: enabled ? 1 : Theme.disabledOpacity

    contentItem: LabelContent {
        spacing: Theme.s12
        endRoom: hint.width + Theme.s24
        iconName: item.iconName
        color: item.inkColor
        text: item.text
    }
    UiText {
        id: hint

        anchors.right: parent.right
        anchors.rightMargin: item.rightPadding
        anchors.verticalCenter: parent.verticalCenter
        role: Theme.caption
        color: Theme.ink3
        text: item.key
    }
    background: Rectangle {
        radius: Theme.radiusControl
        color: item.highlighted || item.hovered ? Theme.hover : Theme.clear

        FocusRing {
            shown: item.visualFocus
            inside: true
        }
    }
}
