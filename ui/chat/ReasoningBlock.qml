// The thinking before an answer: folded to one line until it is opened.
import QtQuick
import Paluku

BlockBody {
    id: block

    property string label: ""
    property bool open: false

    implicitHeight: fold.height + (open ? edit.height + Theme.s8 : 0)

    function positionAt(point: point): int {
        return open && point.y >= edit.y ? edit.positionAt(point.x - edit.x, point.y - edit.y) : -1;
    }

    onRowChanged: open = false

    Button {
        id: fold

        kind: Button.Outlined
        height: Theme.chipHeight
        horizontalPadding: Theme.s12
        iconName: block.open ? "chevron-down" : "chevron-right"
        inkColor: Theme.ink2
        text: block.label
        onClicked: block.open = !block.open
    }
    Rectangle {
        visible: block.open
        y: edit.y
        width: Theme.bar
        height: edit.height
        color: Theme.line
    }
    WordsEdit {
        id: edit

        visible: block.open
        x: Theme.quoteIndent
        y: fold.height + Theme.s8
        width: block.width - x
        role: Theme.reasoning
        color: Theme.ink2
        words: block.open ? block.text : ""
        selectedFrom: block.selectionStart
        selectedTo: block.selectionEnd
    }
}
