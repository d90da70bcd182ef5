// A choice of one among many, in a popup list. The view model gives the words.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Templates as T
import Paluku

T.ComboBox {
    id: combo

    property string name: ""

    hoverEnabled: true
    implicitWidth: Theme.fieldWidth
    implicitHeight: Theme.controlHeight
    leftPadding: Theme.s12
    rightPadding: Theme.s12 + Theme.icon + Theme.s8
    opacity: enabled ? 1 : Theme.disabledOpacity
    Accessible.name: name

    contentItem: UiText {
        text: combo.displayText
        verticalAlignment: Text.AlignVCenter
        elide: Text.ElideRight
    }
    indicator: Icon {
        x: combo.width - width - Theme.s12
        y: (combo.height - height) / 2
        icon: "chevron-down"
    }
    background: Rectangle {
        radius: Theme.radiusControl
        color: combo.hovered ? Theme.hover : Theme.raised
        border.width: Theme.hairline
        border.color: Theme.edge

        FocusRing { shown: combo.visualFocus }
    }
    delegate: T.ItemDelegate {
        id: choice

        required property int index
        required property string modelData

        width: ListView.view ? ListView.view.width : 0
        height: Theme.menuRowHeight
        hoverEnabled: true
        text: modelData
        highlighted: combo.highlightedIndex === index

        contentItem: Item {
            UiText {
                x: Theme.s12
                anchors.verticalCenter: parent.verticalCenter
                width: parent.width - 2 * Theme.s12 - Theme.icon
                elide: Text.ElideRight
                text: choice.text
            }
            Icon {
                anchors.right: parent.right
                anchors.rightMargin: Theme.s12
                anchors.verticalCenter: parent.verticalCenter
                visible: combo.currentIndex === choice.index
                icon: "check"
                color: Theme.indigo
            }
        }
        background: Rectangle {
            radius: Theme.radiusControl
            color: choice.highlighted ? Theme.hover : Theme.clear
        }
    }
    popup: T.Popup {
        y: combo.height + Theme.s4
        width: combo.width
        implicitHeight: implicitContentHeight + topPadding + bottomPadding
        margins: Theme.s8
        padding: Theme.s4

        contentItem: ListView {
            clip: true
            implicitHeight: contentHeight
            model: combo.delegateModel
            currentIndex: combo.highlightedIndex
            highlightMoveDuration: 0
            boundsBehavior: Flickable.StopAtBounds
            T.ScrollBar.vertical: ScrollBar {}
        }
        background: Surface { level: 2 }
    }
}
