// The scroll bar of the transcript. Its place comes from row and fraction of a row, since the pixel
// height of a list with rows off the screen is only estimated and would jump.
import QtQuick
import Paluku

ScrollBar {
    id: bar

    required property ListView view
    signal moved()

    readonly property real first: rowAt(0)
    readonly property real last: rowAt(view.height)

    function rowAt(y: real): real {
        const row = view.indexAt(view.width / 2, view.contentY + y);
        const item = view.itemAtIndex(row);
        return item ? row + (view.contentY + y - item.y) / item.height : y > 0 ? view.count : 0;
    }

    orientation: Qt.Vertical
    size: view.count > 0 ? Math.min(1, (last - first) / view.count) : 1
    onPressedChanged: if (!pressed) moved()
    onPositionChanged: {
        if (!pressed)
            return;
        const row = Math.min(view.count - 1, Math.floor(position * view.count));
        view.positionViewAtIndex(row, ListView.Beginning);
    }
    Binding {
        target: bar
        property: "position"
        value: bar.view.count > 0 ? bar.first / bar.view.count : 0
        when: !bar.pressed
    }
}
