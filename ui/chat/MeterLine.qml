// The line under the composer: the latent meter with its two figures, or what the model is doing.
import QtQuick
import Paluku
import PalukuApp

Item {
    id: line

    required property ChatController chat
    required property bool narrow
    readonly property LatentMeter meter: chat.meter
    readonly property bool busyLoading: chat.phase === ChatController.Loading

    implicitHeight: Theme.hit

    LatentBar {
        id: bar

        anchors.verticalCenter: parent.verticalCenter
        visible: line.meter.visible && !line.busyLoading
        meter: line.meter
        narrow: line.narrow
    }
    ProgressLine {
        id: loading

        anchors.verticalCenter: parent.verticalCenter
        visible: line.busyLoading && line.chat.progress >= 0
        width: line.narrow ? Theme.meterNarrow : Theme.meterWidth
        value: line.chat.progress
        Accessible.name: line.chat.statusText
    }
    UiText {
        id: status

        anchors.verticalCenter: parent.verticalCenter
        anchors.right: parent.right
        visible: text.length > 0
        width: Math.min(implicitWidth, line.width - (bar.visible ? bar.width : loading.visible ? loading.width : 0) - Theme.s12)
        elide: Text.ElideRight
        role: Theme.caption
        color: Theme.ink3
        text: line.chat.statusText
        Accessible.role: Accessible.StaticText
        Accessible.name: text
    }
    Row {
        anchors.verticalCenter: parent.verticalCenter
        anchors.right: parent.right
        visible: !status.visible && line.meter.visible && line.meter.contextFraction > 0
        spacing: Theme.s16

        UiText {
            visible: text.length > 0 && !line.narrow
            role: Theme.caption
            color: Theme.ink3
            text: line.chat.speedText
        }
        UiText {
            role: Theme.captionBold
            color: Theme.turmericInk
            text: line.narrow ? line.meter.latentText : line.meter.savingText
        }
    }
}
