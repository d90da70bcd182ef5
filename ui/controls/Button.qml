// A push button with a word and perhaps an icon. One filled button at most stands on a page.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Button {
    id: button

    enum Kind { Filled, Outlined, Plain }
    property int kind: Button.Outlined
    property string iconName: ""
    property color inkColor: kind === Button.Filled ? Theme.inkOnIndigo : Theme.indigo

    hoverEnabled: true
    horizontalPadding: kind === Button.Plain ? Theme.s8 : Theme.s16
    verticalPadding: Theme.s4
    spacing: Theme.s8
    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: Math.max(kind === Button.Plain ? Theme.hit : Theme.controlHeight,
                             implicitContentHeight + topPadding + bottomPadding)
    opacity: enabled ? 1 : Theme.disabledOpacity
    Keys.onReturnPressed: button.clicked()
    Keys.onEnterPressed: button.clicked()

    contentItem: LabelContent {
        centred: true
        spacing: button.spacing
        iconName: button.iconName
        color: button.inkColor
        text: button.text
    }
    background: Rectangle {
        readonly property color rest: button.kind === Button.Filled ? Theme.indigo : Theme.clear
        readonly property color over: button.kind === Button.Filled ? Theme.indigoHover : Theme.hover
        readonly property color pressed: button.kind === Button.Filled ? Theme.indigoPress : Theme.selected

        radius: Theme.radiusControl
        color: button.down ? pressed : button.hovered ? over : rest
        border.width: button.kind === Button.Outlined ? Theme.hairline : 0
        border.color: Theme.edge

        FocusRing { shown: button.visualFocus }
    }
}
