// On or off, at once. The row around it shows the words; `text` is its accessible name.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Switch {
    id: control

    hoverEnabled: true
    implicitWidth: Theme.switchWidth
    implicitHeight: Theme.hit
    opacity: enabled ? 1 : Theme.disabledOpacity

    indicator: Rectangle {
        anchors.centerIn: parent
        width: Theme.switchWidth
        height: Theme.switchHeight
        radius: height / 2
        color: control.checked ? Theme.indigo : Theme.raised
        border.width: Theme.hairline
        border.color: control.checked ? Theme.indigo : Theme.edge

        Rectangle {
            x: control.checked ? parent.width - width - Theme.stroke : Theme.stroke
            anchors.verticalCenter: parent.verticalCenter
            width: Theme.knob
            height: Theme.knob
            radius: width / 2
            color: control.checked ? Theme.inkOnIndigo : Theme.edge

            Behavior on x {
                NumberAnimation { duration: Theme.quick }
            }
        }
        FocusRing {
            shown: control.visualFocus
            cornerRadius: parent.radius
        }
    }
}
