// A button that shows only an icon. Its text is the accessible name and, with the key, the tooltip.
// qmllint disable unqualified
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Button {
    id: button

    required property string iconName
    property string key: ""
    property color tint: Theme.ink2

    hoverEnabled: true
    implicitWidth: Theme.hit
    implicitHeight: Theme.hit
    opacity: enabled ? 1 : Theme.disabledOpacity
    Keys.onReturnPressed: button.clicked()
    Keys.onEnterPressed: button.clicked()

    contentItem: Item {
        Icon {
            anchors.centerIn: parent
            icon: button.iconName
            color: button.hovered || button.checked ? Theme.ink : button.tint
        }
    }
    background: Rectangle {
        radius: Theme.radiusControl
        color: button.down || button.checked ? Theme.selected : button.hovered ? Theme.hover : Theme.clear

        FocusRing { shown: button.visualFocus }
    }
    Loader {
        active: button.hovered || button.visualFocus
        anchors.fill: parent
        sourceComponent: Item {
            Tip {
                visible: !button.down
                text: button.text
                key: button.key
            }
        }
    }
}
