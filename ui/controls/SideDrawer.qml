// A panel that slides in from the left over the page; Esc or a click outside closes it.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Drawer {
    id: drawer

    edge: Qt.LeftEdge
    modal: true
    dragMargin: 0

    enter: Transition {
        SmoothedAnimation { velocity: -1; duration: Theme.slow; easing.type: Easing.OutCubic }
    }
    exit: Transition {
        SmoothedAnimation { velocity: -1; duration: Theme.slow; easing.type: Easing.OutCubic }
    }
    background: Rectangle {
        color: Theme.window

        Divider {
            anchors.right: parent.right
            height: parent.height
        }
    }
    T.Overlay.modal: Rectangle {
        color: Theme.scrim
    }
}
