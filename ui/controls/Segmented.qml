// A choice of one among two or three, side by side. One Tab stop; the arrow keys choose.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Templates as T
import Paluku

FocusScope {
    id: segmented

    property var choices: []
    property int current: 0
    property string name: ""
    signal chosen(int index)

    implicitWidth: row.implicitWidth + 2 * Theme.stroke
    implicitHeight: Theme.controlHeight
    activeFocusOnTab: true
    Accessible.role: Accessible.Grouping
    Accessible.name: name
    Keys.onLeftPressed: chosen(Math.max(0, current - 1))
    Keys.onRightPressed: chosen(Math.min(choices.length - 1, current + 1))

    Rectangle {
        anchors.fill: parent
        radius: Theme.radiusControl
        color: Theme.raised
        border.width: Theme.hairline
        border.color: Theme.edge

        FocusRing { shown: segmented.activeFocus && segmented.keyFocus }
    }
    readonly property bool keyFocus: focusReason === Qt.TabFocusReason || focusReason === Qt.BacktabFocusReason
    property int focusReason: Qt.OtherFocusReason

    Row {
        id: row

        x: Theme.stroke
        y: Theme.stroke

        Repeater {
            model: segmented.choices

            T.RadioButton {
                id: choice

                required property int index
                required property string modelData

                focusPolicy: Qt.NoFocus
                hoverEnabled: true
                text: modelData
                checked: segmented.current === index
                implicitWidth: implicitContentWidth + 2 * Theme.s16
                implicitHeight: segmented.height - 2 * Theme.stroke
                onClicked: segmented.chosen(index)

                contentItem: UiText {
                    horizontalAlignment: Text.AlignHCenter
                    verticalAlignment: Text.AlignVCenter
                    leftPadding: Theme.s16
                    rightPadding: Theme.s16
                    role: choice.checked ? Theme.uiBold : Theme.ui
                    color: choice.checked ? Theme.indigo : Theme.ink2
                    text: choice.text
                }
                background: Rectangle {
                    radius: Theme.radiusControl - Theme.stroke
                    color: choice.checked ? Theme.selected : choice.hovered ? Theme.hover : Theme.clear
                    border.width: choice.checked && Theme.highContrast ? Theme.stroke : 0
                    border.color: Theme.edge
                }
            }
        }
    }
}
