// The only Text of the interface: always plain text, always a type role of the theme.
// Never set textFormat anywhere: the other formats load images and crash on hostile markup.
import QtQuick
import Paluku

Text {
    property TypeRole role: Theme.ui

    textFormat: Text.PlainText
    color: Theme.ink
    font.family: role.family
    font.pixelSize: role.size
    font.weight: role.weight
    font.hintingPreference: Font.PreferNoHinting
    lineHeightMode: Text.FixedHeight
    lineHeight: role.line
}
