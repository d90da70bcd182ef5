// Every key, in one list. Shortcuts.qml and the controls bind them.
pragma ComponentBehavior: Bound
import QtQuick
import Paluku

SettingsGroup {
    id: group

    readonly property var shortcuts: [
        { keys: "Enter", does: qsTr("Send, or Ctrl+Enter if you chose so") },
        { keys: "Shift+Enter", does: qsTr("New line") },
        { keys: "Esc", does: qsTr("Close what is open, then stop the answer") },
        { keys: "Ctrl+N", does: qsTr("New conversation") },
        { keys: "Ctrl+L", does: qsTr("To the text field") },
        { keys: "Ctrl+J", does: qsTr("Jump to latest") },
        { keys: "Ctrl+R", does: qsTr("Say again") },
        { keys: "Ctrl+Shift+C", does: qsTr("Copy the last answer") },
        { keys: "Ctrl+C", does: qsTr("Copy the selection, or the focused turn") },
        { keys: "Ctrl+Up, Ctrl+Down", does: qsTr("Previous or next turn") },
        { keys: "Ctrl+PgUp, Ctrl+PgDown", does: qsTr("Previous or next conversation") },
        { keys: "F2, Del", does: qsTr("Rename or delete the focused conversation") },
        { keys: "Ctrl+Z", does: qsTr("Undo: first the text, then the last deletion") },
        { keys: "Ctrl+M", does: qsTr("Choose a model") },
        { keys: "Ctrl+Shift+M", does: qsTr("Models") },
        { keys: "Ctrl+O", does: qsTr("Add a model file") },
        { keys: "F9", does: qsTr("Show or hide the sidebar") },
        { keys: "F6, Shift+F6", does: qsTr("Next or previous part of the window") },
        { keys: "Menu, Shift+F10", does: qsTr("Context menu") },
        { keys: "Ctrl++, Ctrl+-, Ctrl+0", does: qsTr("Text size") },
        { keys: "Ctrl+,", does: qsTr("Settings") },
        { keys: "F1, Ctrl+?", does: qsTr("This list") },
        { keys: "F11", does: qsTr("Full screen") },
        { keys: "Ctrl+W, Ctrl+Q", does: qsTr("Close the window, quit") }
    ]

    name: qsTr("Keyboard shortcuts")

    Repeater {
        model: group.shortcuts

        Item {
            id: row

            required property var modelData

            width: parent ? parent.width : 0
            height: Math.max(words.implicitHeight, keys.implicitHeight) + 2 * Theme.s4
            Accessible.role: Accessible.StaticText
            Accessible.name: modelData.does
            Accessible.description: modelData.keys

            UiText {
                id: words

                x: Theme.s16
                y: Theme.s4
                width: keys.x - x - Theme.s12
                wrapMode: Text.Wrap
                text: row.modelData.does
            }
            UiText {
                id: keys

                y: Theme.s4
                anchors.right: parent.right
                anchors.rightMargin: Theme.s16
                color: Theme.ink2
                text: row.modelData.keys
            }
        }
    }
}
