// Says that nothing leaves this computer.
import QtQuick
import Paluku

Item {
    implicitHeight: Theme.footerRowHeight
    Accessible.role: Accessible.StaticText
    Accessible.name: qsTr("Offline. The network was never used.")

    Icon {
        id: image

        x: Theme.s12
        anchors.verticalCenter: parent.verticalCenter
        icon: "offline"
        color: Theme.neem
    }
    UiText {
        id: word

        x: image.x + image.width + Theme.s8
        anchors.verticalCenter: parent.verticalCenter
        color: Theme.neem
        text: qsTr("Offline")
    }
    UiText {
        anchors.right: parent.right
        anchors.rightMargin: Theme.s12
        anchors.verticalCenter: parent.verticalCenter
        width: Math.min(implicitWidth, parent.width - word.x - word.width - Theme.s4 - Theme.s12)
        horizontalAlignment: Text.AlignRight
        elide: Text.ElideRight
        role: Theme.caption
        color: Theme.ink3
        text: qsTr("network never used")
    }
}
