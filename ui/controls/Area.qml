// A text field of several lines, for short texts of the user's own (never for output of a model).
// Tab leaves it, as it leaves every other field.
import QtQuick
import QtQuick.Templates as T
import Paluku

FocusScope {
    id: area

    property alias text: edit.text
    property alias placeholderText: hint.text
    property string name: ""
    signal edited()

    implicitWidth: Theme.fieldWidth
    implicitHeight: Theme.areaHeight

    Rectangle {
        anchors.fill: parent
        radius: Theme.radiusControl
        color: Theme.raised
        border.width: edit.activeFocus ? Theme.stroke : Theme.hairline
        border.color: edit.activeFocus ? Theme.indigo : Theme.edge
    }
    UiText {
        id: hint

        x: Theme.s12
        y: Theme.s12
        width: area.width - 2 * Theme.s12
        wrapMode: Text.Wrap
        visible: edit.length === 0 && edit.preeditText.length === 0
        color: Theme.ink3
        Accessible.ignored: true
    }
    Flickable {
        anchors.fill: parent
        anchors.margins: Theme.s12
        anchors.rightMargin: Theme.s4
        contentWidth: width
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        T.ScrollBar.vertical: ScrollBar {}

        T.TextArea.flickable: T.TextArea {
            id: edit

            focus: true
            padding: 0
            rightPadding: Theme.scrollBar
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
        }
    }
}
