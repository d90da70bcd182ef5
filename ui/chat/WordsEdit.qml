// A document of a block: plain text whose styles and fixed line height come from the styler, and the
// selected range of its block.
import QtQuick
import Paluku
import PalukuApp

UiTextEdit {
    id: edit

    required property string words
    property var spans
    property string language: ""
    property int selectedFrom: 0
    property int selectedTo: 0

    onSelectedFromChanged: select(selectedFrom, selectedTo)
    onSelectedToChanged: select(selectedFrom, selectedTo)
    Accessible.ignored: true

    HoverHandler {
        cursorShape: Qt.IBeamCursor
    }
    readonly property TextStyler styler: TextStyler {
        document: edit.textDocument
        text: edit.words
        spans: edit.spans
        lineHeight: edit.role.line
        codeFamily: Theme.codeText.family
        codePixelSize: Theme.codeText.size
        codeBackground: Theme.code
        linkColor: Theme.indigo
        language: edit.language
        syntax: Theme.syntax
    }
}
