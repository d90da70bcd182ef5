// Opens the model picker; shows which model answers.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Button {
    id: button

    property bool opened: false

    hoverEnabled: true
    leftPadding: Theme.s8
    rightPadding: Theme.s8
    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: Theme.send
    Accessible.name: text.length > 0 ? qsTr("Model: %1").arg(text) : qsTr("Choose a model")
    Accessible.role: Accessible.ButtonMenu
    Keys.onReturnPressed: button.clicked()
    Keys.onEnterPressed: button.clicked()

    contentItem: LabelContent {
        elide: Text.ElideMiddle
        color: Theme.ink2
        endIcon: "chevron-down"
        text: button.text.length > 0 ? button.text : qsTr("Choose a model")
    }
    background: Rectangle {
        radius: Theme.radiusControl
        color: button.down || button.opened ? Theme.selected : button.hovered ? Theme.hover : Theme.clear

        FocusRing { shown: button.visualFocus }
    }
    Tip {
        visible: button.hovered && !button.opened
        text: qsTr("Model")
        key: "Ctrl+M"
    }
}
