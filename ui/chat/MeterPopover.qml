// The figures of the latent meter in full.
import QtQuick
import QtQuick.Layouts
import Paluku
import PalukuApp

Popover {
    id: popover

    required property LatentMeter meter

    contentItem: ColumnLayout {
        spacing: Theme.s8

        UiText {
            role: Theme.uiBold
            text: qsTr("Context")
        }
        Figure {
            name: qsTr("In use")
            value: popover.meter.tokensText
        }
        UiText {
            visible: text.length > 0
            role: Theme.label
            color: Theme.ink2
            text: popover.meter.roomText
        }
        UiText {
            Layout.topMargin: Theme.s8
            role: Theme.uiBold
            text: qsTr("Memory")
        }
        Figure {
            name: qsTr("Latent cache")
            value: popover.meter.latentText
            strong: true
        }
        Figure {
            name: qsTr("Ordinary attention")
            value: popover.meter.ordinaryText
        }
    }

    component Figure: RowLayout {
        id: figure

        property string name: ""
        property string value: ""
        property bool strong: false

        spacing: Theme.s24

        UiText {
            Layout.fillWidth: true
            role: Theme.label
            color: Theme.ink2
            text: figure.name
        }
        UiText {
            role: figure.strong ? Theme.labelBold : Theme.label
            color: figure.strong ? Theme.turmericInk : Theme.ink
            text: figure.value
        }
    }
}
