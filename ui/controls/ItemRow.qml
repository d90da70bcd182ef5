// A row that can be chosen, in the sidebar and in lists of sections. Selected is said three ways: ground,
// a bar of indigo at the left and bold text. (Named ItemRow, since QtQuick has a Row of its own.)
import QtQuick
import QtQuick.Templates as T
import Paluku

T.ItemDelegate {
    id: row

    property string iconName: ""
    property color inkColor: Theme.ink
    property bool selected: false
    property bool strong: selected
    property int endRoom: 0

    hoverEnabled: true
    focusPolicy: Qt.StrongFocus
    leftPadding: Theme.s12
    rightPadding: Theme.s12
    spacing: Theme.s8
    implicitHeight: Theme.rowHeight
    Accessible.role: Accessible.ListItem
    Accessible.name: text
    Accessible.selected: selected
    Accessible.selectable: true
    Keys.onReturnPressed: row.clicked()
    Keys.onEnterPressed: row.clicked()

    contentItem: LabelContent {
        spacing: row.spacing
        endRoom: row.endRoom
        iconName: row.iconName
        role: row.strong ? Theme.uiBold : Theme.ui
        color: row.inkColor
        text: row.text
    }
    background: Rectangle {
        radius: Theme.radiusControl
        color: row.selected ? Theme.selected : row.hovered ? Theme.hover : Theme.clear
        border.width: row.selected && Theme.highContrast ? Theme.stroke : 0
        border.color: Theme.edge

        Rectangle {
            visible: row.selected
            width: Theme.bar
            height: parent.height / 2
            anchors.verticalCenter: parent.verticalCenter
            color: Theme.indigo
        }
        FocusRing {
            shown: row.visualFocus
            inside: true
        }
    }
}
