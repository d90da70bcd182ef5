// A thematic break.
import QtQuick
import Paluku

BlockBody {
    implicitHeight: Theme.s24 + Theme.hairline

    Divider {
        width: parent.width
        anchors.verticalCenter: parent.verticalCenter
    }
}
