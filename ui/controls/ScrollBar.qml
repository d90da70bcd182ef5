// A quiet scroll bar, always there while there is something to scroll.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.ScrollBar {
    id: bar

    implicitWidth: Theme.scrollBar
    implicitHeight: Theme.scrollBar
    padding: Theme.stroke
    minimumSize: Theme.scrollHandleLeast / Math.max(Theme.scrollHandleLeast, horizontal ? width : height)
    visible: size < 1.0
    hoverEnabled: true

    contentItem: Rectangle {
        implicitWidth: Theme.scrollHandle
        implicitHeight: Theme.scrollHandle
        radius: Theme.scrollHandle / 2
        color: bar.pressed || bar.hovered ? Theme.edge : Theme.line
    }
}
