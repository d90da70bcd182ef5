// One model in the picker: name, what it is, and a check at the one in use.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.ItemDelegate {
    id: choice

    required property string modelId
    required property string name
    required property string details
    required property bool inUse
    required property bool usable
    required property string problem
    required property int index
    signal chosen()

    hoverEnabled: true
    enabled: usable
    focus: ListView.isCurrentItem
    implicitHeight: Theme.pickerRowHeight
    leftPadding: Theme.s12
    rightPadding: Theme.s12
    text: name
    Accessible.role: Accessible.ListItem
    Accessible.name: name
    Accessible.description: usable ? details : problem
    Accessible.checked: inUse
    opacity: usable ? 1 : Theme.disabledOpacity
    Keys.onReturnPressed: choice.chosen()
    Keys.onEnterPressed: choice.chosen()
    onClicked: chosen()

    contentItem: Item {
        Column {
            anchors.verticalCenter: parent.verticalCenter
            width: parent.width - Theme.icon - Theme.s8

            UiText {
                width: parent.width
                elide: Text.ElideMiddle
                role: choice.inUse ? Theme.uiBold : Theme.ui
                text: choice.name
            }
            UiText {
                width: parent.width
                elide: Text.ElideRight
                role: Theme.caption
                color: Theme.ink3
                text: choice.usable ? choice.details : choice.problem
            }
        }
        Icon {
            anchors.right: parent.right
            anchors.verticalCenter: parent.verticalCenter
            visible: choice.inUse
            icon: "check"
            color: Theme.indigo
        }
    }
    background: Rectangle {
        radius: Theme.radiusControl
        color: choice.down ? Theme.selected : choice.hovered ? Theme.hover : Theme.clear

        FocusRing {
            shown: choice.visualFocus
            inside: true
        }
    }
}
