// A thin bar of progress; the text beside it is the caller's. Accessible as a progress bar.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.ProgressBar {
    id: progress

    implicitHeight: Theme.track
    implicitWidth: Theme.meterWidth

    contentItem: Item {
        Rectangle {
            width: progress.visualPosition * parent.width
            height: parent.height
            radius: Theme.radiusChip
            color: Theme.indigo
        }
    }
    background: Rectangle {
        radius: Theme.radiusChip
        color: Theme.line
    }
}
