// A single-line text field.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.TextField {
    id: field

    property string name: ""

    implicitWidth: Theme.fieldWidth
    implicitHeight: Theme.controlHeight
    leftPadding: Theme.s12
    rightPadding: Theme.s12
    verticalAlignment: TextInput.AlignVCenter
    selectByMouse: true
    color: Theme.ink
    placeholderTextColor: Theme.ink3
    selectionColor: Theme.selBg
    selectedTextColor: Theme.selInk
    font.family: Theme.ui.family
    font.pixelSize: Theme.ui.size
    font.hintingPreference: Font.PreferNoHinting
    opacity: enabled ? 1 : Theme.disabledOpacity
    Accessible.name: name

    background: Rectangle {
        radius: Theme.radiusControl
        color: Theme.raised
        border.width: field.activeFocus ? Theme.stroke : Theme.hairline
        border.color: field.activeFocus ? Theme.indigo : Theme.edge
    }
    UiText {
        anchors.verticalCenter: parent.verticalCenter
        x: field.leftPadding
        width: field.width - field.leftPadding - field.rightPadding
        elide: Text.ElideRight
        visible: field.length === 0 && field.preeditText.length === 0
        text: field.placeholderText
        color: field.placeholderTextColor
    }
}
