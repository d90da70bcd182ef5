// The edge between sidebar and page, to be dragged.
import QtQuick
import Paluku

MouseArea {
    id: grip

    signal dragged(real x)
    signal letGo()

    width: Theme.s8
    cursorShape: Qt.SplitHCursor
    preventStealing: true
    Accessible.ignored: true
    onReleased: grip.letGo()
    onPositionChanged: mouse => grip.dragged(grip.mapToItem(grip.parent, mouse.x, 0).x)
}
