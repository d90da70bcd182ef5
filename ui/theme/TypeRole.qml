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
    readonly property int weight: bold ? Font.Bold : Font.Normal
}
