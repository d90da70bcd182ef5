// A slider; its value stands beside it as text that the view model words. Arrows move one step, Page keys ten.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Slider {
    id: slider

    property string name: ""
    property string valueText: ""

    hoverEnabled: true
    snapMode: T.Slider.SnapAlways
    implicitWidth: Theme.fieldWidth
    implicitHeight: Theme.hit
    opacity: enabled ? 1 : Theme.disabledOpacity
    Accessible.name: name
    Accessible.description: valueText
    Keys.onPressed: event => {
        const steps = event.key === Qt.Key_PageUp ? 10 : event.key === Qt.Key_PageDown ? -10 : 0;
        event.accepted = steps !== 0;
        if (steps !== 0) {
            slider.value += steps * slider.stepSize;
            slider.moved();
        }
    }

    background: Rectangle {
        x: slider.leftPadding
        y: (slider.height - height) / 2
        width: slider.availableWidth
        height: Theme.track
        radius: Theme.radiusChip
        color: Theme.edge

        Rectangle {
            width: slider.visualPosition * parent.width
            height: parent.height
            radius: Theme.radiusChip
            color: Theme.indigo
        }
    }
    handle: Rectangle {
        x: slider.leftPadding + slider.visualPosition * (slider.availableWidth - width)
        y: (slider.height - height) / 2
        width: Theme.knob
        height: Theme.knob
        radius: width / 2
        color: slider.pressed ? Theme.indigoPress : slider.hovered ? Theme.indigoHover : Theme.indigo

        FocusRing {
            shown: slider.visualFocus
            cornerRadius: parent.radius
        }
    }
}
