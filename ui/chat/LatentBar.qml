// The latent meter: track = context limit, pale = context in use, sliver = the latent cache really used.
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

T.Button {
    id: bar

    required property LatentMeter meter
    required property bool narrow
    readonly property bool near: meter.level !== LatentMeter.Calm
    readonly property color level: meter.level === LatentMeter.Full ? Theme.madder : near ? Theme.turmericInk : Theme.ink3

    hoverEnabled: true
    implicitWidth: implicitContentWidth
    implicitHeight: Theme.hit
    Accessible.role: Accessible.ProgressBar
    Accessible.name: meter.accessibleText
    Keys.onReturnPressed: bar.clicked()
    Keys.onEnterPressed: bar.clicked()
    onClicked: popover.open()

    contentItem: Row {
        spacing: Theme.s12

        LatentTrack {
            anchors.verticalCenter: parent.verticalCenter
            width: bar.narrow ? Theme.meterNarrow : Theme.meterWidth
            contextFraction: bar.meter.contextFraction
            latentFraction: bar.meter.latentFraction
        }
        Icon {
            anchors.verticalCenter: parent.verticalCenter
            visible: bar.near
            icon: "alert"
            color: bar.level
        }
        UiText {
            anchors.verticalCenter: parent.verticalCenter
            role: Theme.caption
            color: bar.level
            text: bar.near ? bar.meter.nearText : bar.narrow ? bar.meter.tokensShort : bar.meter.tokensText
        }
    }
    background: Item {
        FocusRing { shown: bar.visualFocus }
    }
    MeterPopover {
        id: popover

        y: -height - Theme.s8
        meter: bar.meter
    }
}
