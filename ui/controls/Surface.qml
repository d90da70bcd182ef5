// A raised surface: fill, border, and a shadow of stacked rectangles (6.4 has no MultiEffect).
// Level 1 is the composer, 2 menus, toasts and tips. High contrast shows the border alone.
pragma ComponentBehavior: Bound
import QtQuick
import Paluku

Item {
    id: surface

    property int level: 1
    property int radius: Theme.radiusControl
    property color fill: Theme.raised
    property color borderColor: Theme.line
    property int borderWidth: Theme.hairline

    Repeater {
        model: Theme.highContrast ? 0 : surface.level * Theme.shadeSteps

        Rectangle {
            required property int index

            x: -index - 1
            y: -index + surface.level
            width: surface.width + 2 * (index + 1)
            height: surface.height + 2 * (index + 1)
            radius: surface.radius + index + 1
            color: Theme.shade
            opacity: Theme.shadeOpacity
        }
    }
    Rectangle {
        anchors.fill: parent
        radius: surface.radius
        color: surface.fill
        border.color: surface.borderColor
        border.width: surface.borderWidth
    }
}
