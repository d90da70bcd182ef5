// A paragraph, a heading or a list item.
import QtQuick
import Paluku

BlockBody {
    id: block

    property var spans
    property bool quiet: false
    property bool cut: false
    property TypeRole role: Theme.body

    implicitHeight: edit.height + (cut ? more.height : 0)

    function positionAt(point: point): int {
        return more.visible && point.y >= more.y ? -1 : edit.positionAt(point.x, point.y);
    }

    WordsEdit {
        id: edit

        width: block.width
        role: block.role
        color: block.quiet ? Theme.ink2 : Theme.ink
        words: block.text
        spans: block.spans
        selectedFrom: block.selectionStart
        selectedTo: block.selectionEnd
    }
    Button {
        id: more

        y: edit.height
        visible: block.cut
        kind: Button.Plain
        text: qsTr("Show all")
        onClicked: block.chat.transcript.showAll(block.row)
    }
}
