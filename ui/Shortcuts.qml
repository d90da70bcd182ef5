// The keys that work from anywhere in the window. The list people read is settings/ShortcutList.qml.
import QtQuick
import PalukuApp

Item {
    id: keys

    required property AppController app
    signal newWanted()
    signal composerWanted()
    signal latestWanted()
    signal turnWanted(int direction)
    signal pickerWanted()
    signal modelsWanted()
    signal addWanted()
    signal settingsWanted()
    signal listWanted()
    signal sidebarWanted()
    signal paneWanted(int direction)
    signal fullScreenWanted()
    signal backWanted()
    signal closeWanted()

    component Key: Shortcut {
        context: Qt.WindowShortcut
    }

    Key { sequence: "Ctrl+N"; onActivated: keys.newWanted() }
    Key { sequence: "Ctrl+L"; onActivated: keys.composerWanted() }
    Key { sequence: "Ctrl+J"; onActivated: keys.latestWanted() }
    Key { sequence: "Ctrl+R"; onActivated: keys.app.chat.regenerate() }
    Key { sequence: "Ctrl+Shift+C"; onActivated: keys.app.chat.copyLastAnswer() }
    Key { sequence: "Ctrl+Up"; onActivated: keys.turnWanted(-1) }
    Key { sequence: "Ctrl+Down"; onActivated: keys.turnWanted(1) }
    Key { sequence: "Ctrl+PgUp"; onActivated: keys.app.conversations.openPrevious() }
    Key { sequence: "Ctrl+PgDown"; onActivated: keys.app.conversations.openNext() }
    Key { sequence: "Ctrl+Z"; onActivated: keys.app.notices.undo() }
    Key { sequence: "Ctrl+M"; onActivated: keys.pickerWanted() }
    Key { sequence: "Ctrl+Shift+M"; onActivated: keys.modelsWanted() }
    Key { sequence: "Ctrl+O"; onActivated: keys.addWanted() }
    Key { sequence: "Ctrl+,"; onActivated: keys.settingsWanted() }
    Key { sequences: ["F1", "Ctrl+?"]; onActivated: keys.listWanted() }
    Key { sequence: "F9"; onActivated: keys.sidebarWanted() }
    Key { sequence: "F6"; onActivated: keys.paneWanted(1) }
    Key { sequence: "Shift+F6"; onActivated: keys.paneWanted(-1) }
    Key { sequence: "F11"; onActivated: keys.fullScreenWanted() }
    Key { sequences: ["Ctrl++", "Ctrl+="]; onActivated: keys.app.settings.stepTextSize(1) }
    Key { sequence: "Ctrl+-"; onActivated: keys.app.settings.stepTextSize(-1) }
    Key { sequence: "Ctrl+0"; onActivated: keys.app.settings.textSizePercent = 100 }
    Key { sequence: "Esc"; onActivated: keys.backWanted() }
    Key { sequences: ["Ctrl+W", "Ctrl+Q"]; onActivated: keys.closeWanted() }
}
