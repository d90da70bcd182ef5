// The only bare TextEdit of the interface: read-only plain text that can be selected from outside.
// Emphasis, code and links are character formats set by the styler of app/ on its document.
import QtQuick
import Paluku

TextEdit {
    property TypeRole role: Theme.body

    textFormat: TextEdit.PlainText
    readOnly: true
    selectByMouse: false
    persistentSelection: true
    activeFocusOnPress: false
    wrapMode: TextEdit.Wrap
    color: Theme.ink
    selectionColor: Theme.selBg
    selectedTextColor: Theme.selInk
    font.family: role.family
    font.pixelSize: role.size
    font.weight: role.weight
    font.hintingPreference: Font.PreferNoHinting
}
