// One setting: its words at the left, perhaps a line that explains, its control at the right or, when
// the row is too narrow for both, below.
import QtQuick
import Paluku

Item {
    id: row

    property string name: ""
    property string hint: ""
    default property Item control
    readonly property bool stacked: control !== null && width < words.implicitWidth + control.implicitWidth + 3 * Theme.s16

    width: parent ? parent.width : 0
    implicitHeight: stacked ? words.height + control.height + 3 * Theme.s8 : Math.max(words.height + 2 * Theme.s8, Theme.rowHeight + Theme.s8)

    onControlChanged: if (control) control.parent = row

    Column {
        id: words

        x: Theme.s16
        y: row.stacked ? Theme.s8 : (row.height - height) / 2
        width: row.stacked || !row.control ? row.width - 2 * Theme.s16 : row.width - row.control.width - 3 * Theme.s16

        UiText {
            width: parent.width
            wrapMode: Text.Wrap
            text: row.name
        }
        UiText {
            width: parent.width
            wrapMode: Text.Wrap
            visible: text.length > 0
            role: Theme.caption
            color: Theme.ink3
            text: row.hint
        }
    }
    Binding {
        target: row.control
        property: "x"
        value: row.stacked ? Theme.s16 : row.width - (row.control ? row.control.width : 0) - Theme.s16
    }
    Binding {
        target: row.control
        property: "y"
        value: row.stacked ? words.height + 2 * Theme.s8 : (row.height - (row.control ? row.control.height : 0)) / 2
    }
}
