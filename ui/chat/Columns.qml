// Where things stand across the page, by its width: the column of text, the names beside or above it,
// and how far the user's leaf and the composer reach beyond the text.
import QtQuick
import Paluku

QtObject {
    required property real width

    readonly property bool narrow: width < Theme.mediumFrom - Theme.sidebarMedium
    readonly property bool namesInMargin: width >= Math.max(Theme.namesInMarginFrom, Theme.measure + Theme.nameColumn + 2 * Theme.s32)
    readonly property int overhang: narrow ? Theme.overhangNarrow : Theme.overhang
    readonly property int measure: Math.min(Theme.measure, width - 2 * (overhang + Theme.edgeNarrow))
    readonly property int textLeft: namesInMargin ? (width - Theme.nameColumn - measure) / 2 + Theme.nameColumn : (width - measure) / 2
}
