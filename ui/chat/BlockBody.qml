// What every block of text in the transcript shares: its row, and the part of it that is selected.
// The selection lies in app/; a block shows its own range and says which offset a point means.
import QtQuick
import PalukuApp

Item {
    id: body

    required property int row
    required property ChatController chat
    required property string text
    readonly property int revision: chat.selection.revision
    property int selectionStart: 0
    property int selectionEnd: 0

    function positionAt(point: point): int {
        return point.y < height / 2 ? 0 : text.length;
    }
    function readSelection(): void {
        selectionStart = chat.selection.startIn(row);
        selectionEnd = chat.selection.endIn(row);
    }

    onRevisionChanged: readSelection()
    onRowChanged: readSelection()
}
