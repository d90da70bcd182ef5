// One row of the type table: size and line height in pixels at text scale 1, multiplied by the scale.
// Line heights are fixed in pixels, because a proportional one follows the fallback font and makes
// lines of mixed Telugu and English uneven.
import QtQuick

QtObject {
    required property int baseSize
    required property int baseLine
    required property real scale
    property bool bold: false
    property string family: "Noto Sans"
    readonly property int size: Math.round(baseSize * scale)
    readonly property int line: Math.round(baseLine * scale)
    // First baseline under the top of a UiText and of a document with this line height: the one puts the
    // room that a fixed line adds below the words, the other above. Noto Sans: 1.069 em up, 0.293 down.
    readonly property real textBaseline: size * 1.069
    readonly property real editBaseline: line - size * 0.293
    readonly property int weight: bold ? Font.Bold : Font.Normal
}
