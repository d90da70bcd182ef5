// The user's turn: the words as they were written, on a leaf that reaches beyond the column.
import QtQuick
import Paluku

BlockBody {
    id: leaf

    property int overhang: 0

    implicitHeight: edit.height + 2 * Theme.s12

    function positionAt(point: point): int {
        return edit.positionAt(point.x, point.y - edit.y);
    }

    Rectangle {
        x: -leaf.overhang
        width: leaf.width + 2 * leaf.overhang
        height: leaf.height
        radius: Theme.radiusLeaf
        color: Theme.leaf
        border.width: Theme.highContrast ? Theme.hairline : 0
        border.color: Theme.edge
    }
    WordsEdit {
        id: edit

        y: Theme.s12 - Theme.documentRise
        width: leaf.width
        words: leaf.text
        selectedFrom: leaf.selectionStart
        selectedTo: leaf.selectionEnd
    }
}
