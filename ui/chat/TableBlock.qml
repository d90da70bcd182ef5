// A table: rules between rows, a bold head, scrolled sideways in its own box when it is too wide.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import Paluku

BlockBody {
    id: block

    property list<string> cells
    property int columnCount: 1
    property list<int> alignments

    implicitHeight: scroll.height

    function alignmentOf(cell: int): int {
        return alignments[cell % columnCount];
    }

    Flickable {
        id: scroll

        width: block.width
        height: grid.height + (bar.visible ? Theme.scrollBar : 0)
        contentWidth: grid.width
        contentHeight: grid.height
        clip: true
        flickableDirection: Flickable.HorizontalFlick
        boundsBehavior: Flickable.StopAtBounds
        T.ScrollBar.horizontal: ScrollBar { id: bar }

        GridLayout {
            id: grid

            width: Math.max(implicitWidth, scroll.width)
            columns: Math.max(1, block.columnCount)
            columnSpacing: 0
            rowSpacing: 0

            Repeater {
                model: block.cells

                Rectangle {
                    id: cell

                    required property int index
                    required property string modelData
                    readonly property bool head: index < block.columnCount

                    Layout.fillWidth: true
                    Layout.fillHeight: true
                    implicitWidth: Math.min(words.implicitWidth, Theme.cellWidth) + 2 * Theme.s12
                    implicitHeight: words.implicitHeight + 2 * Theme.s8
                    color: block.selectionEnd > block.selectionStart ? Theme.selBg : Theme.clear

                    UiText {
                        id: words

                        x: Theme.s12
                        y: Theme.s8
                        width: cell.width - 2 * Theme.s12
                        role: cell.head ? Theme.bodyBold : Theme.body
                        wrapMode: Text.Wrap
                        horizontalAlignment: block.alignmentOf(cell.index)
                        text: cell.modelData
                    }
                    Rectangle {
                        width: parent.width
                        height: cell.head ? Theme.stroke : Theme.hairline
                        anchors.bottom: parent.bottom
                        color: cell.head ? Theme.edge : Theme.line
                    }
                }
            }
        }
    }
}
