// The focus ring round a turn, drawn by each of its rows: sides always, top and bottom at its ends.
import QtQuick
import Paluku

Item {
    id: edges

    property bool first: false
    property bool last: false

    Rectangle { width: Theme.stroke; height: parent.height; color: Theme.ring }
    Rectangle { width: Theme.stroke; height: parent.height; anchors.right: parent.right; color: Theme.ring }
    Rectangle { width: parent.width; height: Theme.stroke; visible: edges.first; color: Theme.ring }
    Rectangle { width: parent.width; height: Theme.stroke; anchors.bottom: parent.bottom; visible: edges.last; color: Theme.ring }
}
