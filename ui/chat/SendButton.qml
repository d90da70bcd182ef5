// Send and Stop in one place, one size and one fill.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Button {
    id: button

    property bool stops: false
    property bool ready: false

    hoverEnabled: true
    implicitWidth: Theme.send
    implicitHeight: Theme.send
    text: stops ? qsTr("Stop") : qsTr("Send")
    opacity: ready || stops ? 1 : Theme.disabledOpacity
    Keys.onReturnPressed: button.clicked()
    Keys.onEnterPressed: button.clicked()

    contentItem: Item {
        Icon {
            anchors.centerIn: parent
            size: Theme.iconSend
            icon: button.stops ? "stop" : "send"
            color: Theme.inkOnIndigo
        }
    }
    background: Rectangle {
        radius: height / 2
        color: button.down ? Theme.indigoPress : button.hovered ? Theme.indigoHover : Theme.indigo

        FocusRing {
            shown: button.visualFocus
            cornerRadius: parent.radius
        }
    }
    Tip {
        visible: button.hovered && !button.down
        text: button.text
        key: button.stops ? "Esc" : "Enter"
    }
}
