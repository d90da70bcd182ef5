// A setting on a slider, with its value in words beside it.
import QtQuick
import Paluku

Item {
    id: row

    property string name: ""
    property string valueText: ""
    property alias from: slider.from
    property alias to: slider.to
    property alias stepSize: slider.stepSize
    property real value: 0
    signal chosen(real value)

    width: parent ? parent.width : 0
    implicitHeight: title.height + slider.height + 2 * Theme.s8

    onValueChanged: slider.value = value

    UiText {
        id: title

        x: Theme.s16
        y: Theme.s8
        width: amount.x - x - Theme.s8
        elide: Text.ElideRight
        text: row.name
    }
    UiText {
        id: amount

        y: Theme.s8
        anchors.right: parent.right
        anchors.rightMargin: Theme.s16
        color: Theme.ink2
        text: row.valueText
    }
    Slider {
        id: slider

        x: Theme.s16
        y: title.y + title.height
        width: row.width - 2 * Theme.s16
        name: row.name
        valueText: row.valueText
        onMoved: row.chosen(value)
        Component.onCompleted: value = row.value
    }
}
