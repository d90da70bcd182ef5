// An icon of resources/icons by name, tinted. Icons are drawn on a 16 px grid with a 1.5 px stroke.
import QtQuick
import QtQuick.Controls.impl
import Paluku

IconImage {
    required property string icon
    property int size: Theme.icon

    source: icon.length > 0 ? "qrc:/icons/" + icon + ".svg" : ""
    sourceSize.width: size
    sourceSize.height: size
    width: size
    height: size
    color: Theme.ink2
}
