// A menu of MenuRow items. Arrows move, Enter chooses, Esc closes and gives the focus back.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Menu {
    id: menu

    margins: Theme.s8
    padding: Theme.s4
    overlap: 0
    implicitWidth: Math.max(Theme.menuWidth, implicitContentWidth + leftPadding + rightPadding)
    implicitHeight: implicitContentHeight + topPadding + bottomPadding

    enter: Transition {
        NumberAnimation { property: "opacity"; from: 0; to: 1; duration: Theme.normal }
    }
    exit: Transition {
        NumberAnimation { property: "opacity"; from: 1; to: 0; duration: Theme.normal }
    }
    contentItem: ListView {
        implicitHeight: contentHeight
        model: menu.contentModel
        interactive: false
        currentIndex: menu.currentIndex
    }
    background: Surface {
        level: 2
    }
}
