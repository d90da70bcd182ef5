// The bar of the latent meter. Track: the limit; pale: the context in use; sliver: the latent cache.
import QtQuick
import Paluku

Rectangle {
    id: track

    property real contextFraction: 0
    property real latentFraction: 0

    height: Theme.meterHeight
    radius: Theme.radiusChip
    color: Theme.window
    border.width: Theme.hairline
    border.color: Theme.highContrast ? Theme.edge : Theme.line

    Rectangle {
        visible: track.contextFraction > 0
        width: Math.max(Theme.meterSliver + Theme.stroke, track.contextFraction * track.width)
        height: track.height
        radius: Theme.radiusChip
        color: Theme.turmericWash
        border.width: Theme.hairline
        border.color: Theme.turmeric
    }
    Rectangle {
        visible: track.contextFraction > 0
        width: Math.max(Theme.meterSliver, track.latentFraction * track.width)
        height: track.height
        radius: Theme.radiusChip
        color: Theme.turmeric
    }
}
