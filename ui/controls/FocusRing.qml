// The ring of keyboard focus: outside with a gap, or inside for rows and turns. Never seen after a click.
import QtQuick
import Paluku

Rectangle {
    property bool shown: false
    property bool inside: false
    property int cornerRadius: Theme.radiusControl

    anchors.fill: parent
    anchors.margins: inside ? Theme.hairline : -(Theme.stroke + Theme.stroke)
    visible: shown
    color: Theme.clear
    radius: inside ? cornerRadius : cornerRadius + Theme.s4
    border.color: Theme.ring
    border.width: Theme.stroke
}
