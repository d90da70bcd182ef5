// A decorative hairline.
import QtQuick
import Paluku

Rectangle {
    implicitHeight: Theme.hairline
    implicitWidth: Theme.hairline
    color: Theme.line
}
