// The mouse over the transcript: press, drag, double and triple click become calls of the selection
// controller. It lies over the rows and lets everything pass that is not text.
import QtQuick
import Paluku
import PalukuApp

MouseArea {
    id: area

    required property ListView view
    required property ChatController chat
    property bool dragged: false
    property point start
    property real clickedAt: 0
    signal pressedAt(int row)
    signal scrolledUp()
    signal menuWanted(real x, real y)
    signal linkClicked(string url, real x, real y)

    acceptedButtons: Qt.LeftButton | Qt.RightButton
    preventStealing: true
    Accessible.ignored: true

    // The row under a point of the view, or the nearest one, and the offset in it; -1 on controls.
    function rowAt(y: real): int {
        const inside = Math.max(0, Math.min(view.height - 1, y));
        const row = view.indexAt(view.width / 2, view.contentY + inside);
        return row >= 0 ? row : inside > view.height / 2 ? view.count - 1 : 0;
    }
    function positionAt(row: int, x: real, y: real): int {
        const item = view.itemAtIndex(row) as TurnRow;
        const inside = view.mapToItem(item, x, y);
        return item ? item.positionAt(inside.x, inside.y) : -1;
    }
    function extend(x: real, y: real): void {
        const row = rowAt(y);
        const position = positionAt(row, x, y);
        if (position >= 0)
            chat.selection.extendTo(row, position);
    }

    onPressed: mouse => {
        const row = rowAt(mouse.y);
        const position = view.count > 0 ? positionAt(row, mouse.x, mouse.y) : -1;
        mouse.accepted = position >= 0 && mouse.source === Qt.MouseEventNotSynthesized;
        if (!mouse.accepted)
            return;
        area.pressedAt(row);
        start = Qt.point(mouse.x, mouse.y);
        dragged = false;
        if (mouse.button === Qt.RightButton)
            area.menuWanted(mouse.x, mouse.y);
        else if (mouse.modifiers & Qt.ShiftModifier)
            chat.selection.extendTo(row, position);
        else if (Date.now() - clickedAt < Application.styleHints.mouseDoubleClickInterval)
            chat.selection.selectBlock(row);
        else
            chat.selection.begin(row, position);
    }
    onPositionChanged: mouse => {
        const far = Math.abs(mouse.x - start.x) + Math.abs(mouse.y - start.y) >= Application.styleHints.startDragDistance;
        dragged = dragged || far;
        if (dragged && mouse.buttons & Qt.LeftButton)
            extend(mouse.x, mouse.y);
    }
    onDoubleClicked: mouse => {
        const row = rowAt(mouse.y);
        chat.selection.selectWord(row, Math.max(0, positionAt(row, mouse.x, mouse.y)));
        clickedAt = Date.now();
    }
    onReleased: mouse => {
        if (mouse.button !== Qt.LeftButton)
            return;
        chat.selection.publish();
        const row = rowAt(mouse.y);
        const url = dragged ? "" : chat.transcript.linkAt(row, positionAt(row, mouse.x, mouse.y));
        if (url.length > 0)
            area.linkClicked(url, mouse.x, mouse.y);
    }
    onWheel: wheel => {
        if (wheel.angleDelta.y > 0)
            area.scrolledUp();
        wheel.accepted = false;
    }

    // A drag beyond the edges scrolls on.
    Timer {
        running: area.dragged && area.pressed && (area.mouseY < 0 || area.mouseY > area.height)
        interval: Theme.frame
        repeat: true
        onTriggered: {
            const least = area.view.originY;
            const most = Math.max(least, least + area.view.contentHeight - area.view.height);
            const step = area.mouseY < 0 ? area.mouseY : area.mouseY - area.height;
            area.view.contentY = Math.max(least, Math.min(most, area.view.contentY + step / 2));
            area.scrolledUp();
            area.extend(area.mouseX, area.mouseY);
        }
    }
}
