// The base of every overlay that is not a menu: a raised surface that Esc or a click outside closes;
// the focus then goes back to whatever opened it.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Popup {
    margins: Theme.s8
    padding: Theme.s16
    focus: true
    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: implicitContentHeight + topPadding + bottomPadding
    closePolicy: T.Popup.CloseOnEscape | T.Popup.CloseOnPressOutside

    enter: Transition {
        NumberAnimation { property: "opacity"; from: 0; to: 1; duration: Theme.normal }
    }
    exit: Transition {
        NumberAnimation { property: "opacity"; from: 1; to: 0; duration: Theme.normal }
    }
    background: Surface {
        level: 2
        radius: Theme.radiusPanel
    }
}
