// A text field of several lines, for short texts of the user's own (never for output of a model).
import QtQuick
import QtQuick.Templates as T
import Paluku

Flickable {
    id: area

    property alias text: edit.text
    property alias placeholderText: hint.text
    property string name: ""
    signal edited()

    implicitHeight: Theme.areaHeight
    contentWidth: width
    clip: true
    boundsBehavior: Flickable.StopAtBounds
    T.ScrollBar.vertical: ScrollBar {}

    T.TextArea.flickable: T.TextArea {
        id: edit

        padding: Theme.s12
        textFormat: TextEdit.PlainText
        wrapMode: TextEdit.Wrap
        selectByMouse: true
        color: Theme.ink
        selectionColor: Theme.selBg
        selectedTextColor: Theme.selInk
        font.family: Theme.ui.family
        font.pixelSize: Theme.ui.size
        font.hintingPreference: Font.PreferNoHinting
        KeyNavigation.priority: KeyNavigation.BeforeItem
        KeyNavigation.tab: nextItemInFocusChain(true)
        KeyNavigation.backtab: nextItemInFocusChain(false)
        Accessible.name: area.name
        onEditingFinished: area.edited()

        background: Rectangle {
            radius: Theme.radiusControl
            color: Theme.raised
            border.width: edit.activeFocus ? Theme.stroke : Theme.hairline
            border.color: edit.activeFocus ? Theme.indigo : Theme.edge
        }
    }
    UiText {
        id: hint

        x: edit.padding
        y: edit.padding
        width: area.width - 2 * edit.padding
        wrapMode: Text.Wrap
        visible: edit.length === 0 && edit.preeditText.length === 0
        color: Theme.ink3
    }
}
