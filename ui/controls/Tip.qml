// A tooltip: name and key. Never the only place of a fact.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.ToolTip {
    id: tip

    property string key: ""

    delay: Theme.tipDelay
    y: parent ? parent.height + Theme.s8 : 0
    x: parent ? (parent.width - width) / 2 : 0
    margins: Theme.s8
    horizontalPadding: Theme.s12
    verticalPadding: Theme.s4
    implicitWidth: Math.min(Theme.tipWidth, implicitContentWidth + leftPadding + rightPadding)
    implicitHeight: implicitContentHeight + topPadding + bottomPadding
    closePolicy: T.Popup.CloseOnEscape | T.Popup.CloseOnPressOutsideParent | T.Popup.CloseOnReleaseOutsideParent

    enter: Transition {
        NumberAnimation { property: "opacity"; from: 0; to: 1; duration: Theme.normal }
    }
    exit: Transition {
        NumberAnimation { property: "opacity"; from: 1; to: 0; duration: Theme.normal }
    }
    contentItem: Row {
        spacing: Theme.s12

        UiText {
            width: Math.min(implicitWidth, Theme.tipWidth)
            role: Theme.label
            text: tip.text
            wrapMode: Text.Wrap
        }
        UiText {
            topPadding: Theme.label.line - Theme.caption.line
            visible: tip.key.length > 0
            role: Theme.caption
            color: Theme.ink3
            text: tip.key
        }
    }
    background: Surface { level: 2 }
}
